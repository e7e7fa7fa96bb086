"""Who was told: letters waiting, sent, delivered, read and acted on."""
