"""moe-sweep's own ways of decoding against each other, and against a pure decode loop: no program by others."""
