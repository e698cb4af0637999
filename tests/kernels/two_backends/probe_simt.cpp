#include "tests/kernels/two_backends/probe.cu"
