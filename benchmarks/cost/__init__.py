"""What restoring costs: time against yardsticks, engines, parts, whole files, memory (`make bench`)."""
