"""Files come: who lists and watches the folders, and makes arrivals of what is complete."""
