"""A run as one page of HTML that needs nothing else: what it learned, and what that looks like beside bicubic.

`run` reads the folder, `pictures` and `kinds` measure, `chart` draws, `page` puts it together.

Several models: `compare` shows them side by side, `blind` without their names; both take crops from `trials`, which
`compare_files` finds pictures for. `ratings` reads what raters saved, `opinions` sums it up.
"""
