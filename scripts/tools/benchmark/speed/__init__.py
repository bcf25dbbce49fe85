"""Speed: the real service, the real node, real signatures."""
