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

int
put_moment(Buffer *line, double created)
{
    /* To the nearest, and to the even one of two, as round() does. */
    double micros = rint(created * 1e6);
    if (!(micros >= 1e6 && micros < 2.5e17))
        return -1;
    int64_t whole = (int64_t)micros;
    int64_t second = whole / 1000000;
    int in_day = (int)(second % 86400);
    int year, month, day;
    date_of(second / 86400, &year, &month, &day);
    char text[64];
    int size = PyOS_snprintf(
        text, sizeof text, "{\"timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"", year,
        month, day, in_day / 3600, in_day / 60 % 60, in_day % 60, (int)(whole % 1000000));
    return put_bytes(line, text, (size_t)size);
}
