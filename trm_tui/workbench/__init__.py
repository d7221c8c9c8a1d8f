"""What the app knows without Textual: experiments, scheduler, recorder, models of its screens."""
