/* Numbers as JSON: as repr() writes them. The twin is to_json() of output/json_lines.py. */
#include "speed.h"
#include <math.h>

#define MOST_DIGITS 24

/* Writes the digits up to *end*, at least *least* of them, and returns where they begin. */
static char *
digits_before(char *end, unsigned long long number, int least)
{
    for (; number > 0 || least > 0; number /= 10, least--)
        *--end = (char)('0' + number % 10);
    return end;
}

int
put_int(Buffer *line, PyObject *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow)
        return -1;
    char text[MOST_DIGITS], *end = text + MOST_DIGITS;
    unsigned long long size = (unsigned long long)number;
    char *from = digits_before(end, number < 0 ? 0 - size : size, 1);
    if (number < 0)
        *--from = '-';
    return put_bytes(line, from, (size_t)(end - from));
}

/*
 * Writes a number that six decimals say exactly, as those of a duration do: 1 if it did. A
 * decimal of at most 15 digits that stands for the number is the shortest one that does.
 */
static int
put_micros(Buffer *line, double number)
{
    if (!(number >= 1e-4 && number < 1e9))
        return 0;
    double whole = rint(number * 1e6);
    if (whole / 1e6 != number)
        return 0;
    unsigned long long micros = (unsigned long long)whole;
    char text[MOST_DIGITS], *end = text + MOST_DIGITS;
    char *from = digits_before(end, micros % 1000000, 6);
    while (end[-1] == '0' && end - from > 1)
        end--;
    *--from = '.';
    from = digits_before(from, micros / 1000000, 1);
    return put_bytes(line, from, (size_t)(end - from)) < 0 ? -1 : 1;
}

int
put_float(Buffer *line, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);
    int done = put_micros(line, number);
    if (done != 0)
        return done < 0 ? -1 : 0;
    char *digits = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (digits == NULL)
        return -1;
    /* JSON has no NaN and no Infinity: they are texts. */
    const char *quote = Py_IS_FINITE(number) ? "" : "\"";
    int failed = put_bytes(line, quote, strlen(quote)) < 0 || put_bytes(line, digits, strlen(digits)) < 0 ||
                 put_bytes(line, quote, strlen(quote)) < 0;
    PyMem_Free(digits);
    return failed ? -1 : 0;
}
