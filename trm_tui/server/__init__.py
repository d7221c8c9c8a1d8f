"""The puzzle server: an HTTP API and a web page on trained models. Only here is FastAPI imported."""
