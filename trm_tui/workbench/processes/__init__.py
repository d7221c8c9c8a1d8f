"""Programs that run beside the app: the puzzle server, runners of studies, the measuring of this machine."""
