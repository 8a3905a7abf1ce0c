"""A run as one page of HTML that needs nothing else: what it learned, and what that looks like beside bicubic.

`run` reads the folder, `pictures` and `kinds` measure, `chart` draws, `page` puts it together.
"""
