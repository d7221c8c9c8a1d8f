"""Several processes that train one run: started, led, and started again when one of them dies."""
