"""Four-colour risk 四色风险 of units and grids: a safety score of named parts, each with its reasons."""
