"""Others are told: programs by webhooks, and the desktop."""
