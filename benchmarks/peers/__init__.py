"""Other ways to do our work, each behind the same call, so that one run compares them on the same inputs."""
