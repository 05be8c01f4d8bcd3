FUNCTIONS = {"matmul": None}


def macs(a):
    return 0
