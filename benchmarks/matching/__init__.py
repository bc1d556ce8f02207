"""A made-up company of any size, judges that share no code with the engine, and what a user would pick instead of it.

`population` makes the company, `geography` is where its people work. `judge` tells what a pair is worth and what it
breaks, in plain Python. `all_pairs` scores every pair with numpy, and `peers` choose among scored pairs.
"""
