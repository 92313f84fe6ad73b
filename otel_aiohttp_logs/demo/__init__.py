"""
A small shop to try the library on: two real services, their traffic, a receiver.

``shop`` and ``stock`` are ordinary aiohttp applications that know nothing of this
package but the calls any application makes. The same code runs in the demo of the
command line and in the Docker stack.

``scenarios``   what can be asked of the shop, and which lines it must log
``service``     how a service is served: its socket, its health check, its leash
``shop``        orders and baskets; asks ``stock`` over HTTP
``stock``       reservations and warehouses
``caller``      sends requests, each with a trace id that it knows
``traffic``     the caller as a program, with a page that starts scenarios
``wire``        protobuf's wire format
``otlp``        the spans and lines in an OTLP request
``receiver``    listens for OTLP and keeps spans and lines by trace
``check``       were all lines of a request received, and none of another's
``metrics``     what the services measure, sent as OTLP
``points``      the measurements in an OTLP request
``figures``     a row for each route, and are the counts right
``apart``       one request told apart: its spans and its lines, as text
``processes``   the services as child processes that never outlive the demo
``terminal``    what is printed, and in which colours
``report``      what is said before and after
``run``         the demo from start to end
``command``     its arguments
"""
