"""The Ray cluster: sessions, pools and progress."""
