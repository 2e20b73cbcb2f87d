"""Training for alignment: losses, one run, evaluation, translated triples."""

PARTS = ("jsd", "nce", "nce-passage", "triplet", "mixup", "keep", "distil")  # the losses, by name
