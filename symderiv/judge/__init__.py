"""From statements to verdicts: refutation by numbers, proof by the kernel, and every sentence about both."""
