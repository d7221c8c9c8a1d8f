"""The models of the Watch screen: a model at work, traces, playback."""
