"""The app: modes, the timer that shows snapshots, commands, and leaving in good order.

What screens call (`screen.trm`):

    workbench, store, settings
    start_run(config, preset=…, name=…)      train in a new slot and show the dashboard
    resume_run(ref, checkpoint=…, overrides=…)
    replay_run(ref)
    edit_config(config, origin=…)            open in the editor
    watch_session(ref, checkpoint=…)         open in the watch screen
    overlay(refs)                            draw other sessions' curves on the dashboard
    say(message, severity=…)                 a toast; text is made safe
    guard(command, *args)                    call, and show a TrmError as a toast instead of raising
"""
