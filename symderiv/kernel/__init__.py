"""The trusted part: terms, their derivatives, their normal form, and equality for every size."""
