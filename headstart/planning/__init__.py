"""`headstart plan`: what a run would take on this machine, stage by stage, before it is started.

`plan` puts it together: how many images (`counts`), how much work (`amounts`), how fast this machine is (`measuring`),
and from these `durations`, `memory` and `space`. `table` prints it.
"""
