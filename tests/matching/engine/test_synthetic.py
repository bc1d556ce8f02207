"""x."""
import benchmarks.latency

def test_x() -> None:
    assert benchmarks.latency
