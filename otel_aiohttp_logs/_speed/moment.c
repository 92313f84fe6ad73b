/* A time of day as JSON lines begin with it: JSONFormatter._time() is the twin. */
#include "speed.h"
#include <math.h>

/* Days since 1970 as a date: http://howardhinnant.github.io/date_algorithms.html */
static void
date_of(int64_t days, int *year, int *month, int *day)
{
    int64_t from = days + 719468;
    int64_t era = from / 146097;
    int64_t of_era = from - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(years + era * 400 + (*month <= 2));
}

/* Up to the second: that is the same in many lines. */
static void
write_second(Moment *moment, int64_t second)
{
    int in_day = (int)(second % 86400);
    int year, month, day;
    date_of(second / 86400, &year, &month, &day);
    char text[64];
    PyOS_snprintf(text, sizeof text, "{\"timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.",
                  year, month, day, in_day / 3600, in_day / 60 % 60, in_day % 60);
    memcpy(moment->text, text, MOMENT_SIZE);
    moment->second = second;
}

int
put_moment(Moment *moment, Buffer *line, double created)
{
    /* To the nearest, and to the even one of two, as round() does. */
    double micros = rint(created * 1e6);
    if (!(micros >= 1e6 && micros < 2.5e17) || buffer_reserve(line, MOMENT_SIZE + 8) < 0)
        return -1;
    int64_t whole = (int64_t)micros;
    int64_t second = whole / 1000000;
    if (second != moment->second)
        write_second(moment, second);
    unsigned char *to = line->data + line->size;
    memcpy(to, moment->text, MOMENT_SIZE);
    unsigned int rest = (unsigned int)(whole - second * 1000000);
    for (int i = 5; i >= 0; i--, rest /= 10)
        to[MOMENT_SIZE + i] = (unsigned char)('0' + rest % 10);
    memcpy(to + MOMENT_SIZE + 6, "Z\"", 2);
    line->size += MOMENT_SIZE + 8;
    return 0;
}
