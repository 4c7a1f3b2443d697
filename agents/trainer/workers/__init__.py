"""Those who carry out the trainer's stages."""
