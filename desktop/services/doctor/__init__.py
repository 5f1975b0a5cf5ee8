"""What `doctor` looks at: this PC, its network, and the accounts. `desktop.services.health` puts the checks together."""
