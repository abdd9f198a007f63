"""Storage: local disks and object stores, whole files, faults that pass waited out."""
