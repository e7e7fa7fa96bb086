"""What the operator acts on: alerts, their lifecycle and their history."""
