"""Nasty files: made on the spot, each with what is to become of it; and sound files to damage."""
