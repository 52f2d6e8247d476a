"""What a run would take on this machine: time, memory and disk, stage by stage, before it is started."""
