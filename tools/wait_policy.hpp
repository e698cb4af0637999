#pragma once

namespace ascore::tools {

/// Lets OpenMP's waiting threads sleep after a short spin, unless the environment says otherwise (OMP_WAIT_POLICY,
/// GOMP_SPINCOUNT). By default they spin for long, which on processors that are shared (a virtual machine, other work)
/// takes the time of the threads that compute: 500 steps of the 25-Gaussians recipe took 80 s instead of 27 s on such a
/// machine. Not to spin at all costs a wake-up per loop: on a quiet one, 60 steps of the digits recipe took 7.9 s
/// without a spin, 6.9 s with one of 3,000 rounds, 6.6 s with 30,000 and more.
/// The OpenMP library reads its settings when a program is loaded, so the program replaces itself once by itself; where
/// that fails, it goes on as it is. `argv` is main's.
void let_waiting_threads_sleep(char** argv);

}  // namespace ascore::tools
