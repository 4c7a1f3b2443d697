"""Real runs: trained, poisoned, killed and moved to other machines, all of them small."""
