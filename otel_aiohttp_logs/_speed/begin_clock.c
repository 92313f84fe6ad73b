/* The clocks that time.time_ns(), time.time() and time.perf_counter() read. */
#include "begin.h"

#ifdef __linux__
#include <time.h>

static int
read_clock(Begin *begin, clockid_t clock, struct timespec *now)
{
    return begin->reads_clocks && clock_gettime(clock, now) == 0;
}

static PyObject *
seconds(const struct timespec *time)
{
    return PyFloat_FromDouble((double)time->tv_sec + 1e-9 * (double)time->tv_nsec);
}
#endif

PyObject *
clock_ns(Begin *begin)
{
#ifdef __linux__
    struct timespec now;
    if (read_clock(begin, CLOCK_REALTIME, &now))
        return PyLong_FromLongLong((long long)now.tv_sec * 1000000000 + now.tv_nsec);
#endif
    return PyObject_CallNoArgs(IT(time_ns));
}

PyObject *
clock_now(Begin *begin)
{
#ifdef __linux__
    struct timespec now;
    if (read_clock(begin, CLOCK_MONOTONIC, &now))
        return seconds(&now);
#endif
    return PyObject_CallNoArgs(IT(perf_counter));
}

PyObject *
clock_time(Begin *begin)
{
#ifdef __linux__
    struct timespec now;
    if (read_clock(begin, CLOCK_REALTIME, &now))
        return seconds(&now);
#endif
    return PyObject_CallNoArgs(IT(time));
}
