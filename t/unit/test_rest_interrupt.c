/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client and time: an interrupt at any moment, timeouts, and a resolver that hangs. */
#include "client_util.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <sys/eventfd.h>

static int resolver_called = -1, resolver_released = -1;

/*
 * Stands before the C library's own: libcurl's threads call this one. A name that begins with
 * "hangs" is not answered until the test says so, and "unknown" is none.
 */
int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    struct pollfd released = {resolver_released, POLLIN, 0};

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strncmp(node, "unknown", 7) == 0) {
        return EAI_NONAME;
    }
    if (node && strncmp(node, "hangs", 5) == 0) {
        eventfd_write(resolver_called, 1);
        poll(&released, 1, 30000);
        eventfd_write(resolver_called, 1);
        return EAI_AGAIN;
    }
    return real(node, service, hints, res);
}

static int set_up_resolver(void **state)
{
    resolver_called = eventfd(0, EFD_CLOEXEC);
    resolver_released = eventfd(0, EFD_CLOEXEC);
    return set_up_clients(state);
}

static void no_answer_in_time_ends_it(void **state)
{
    trial_t *trial = *state;
    static const char *const paths[] = {"/silent", "/drip"};

    for (int i = 0; i < 2; i++) {
        apr_time_t began = wf_clock();
        trial->request.until = began + apr_time_from_msec(300);
        send_path(trial, paths[i]);
        assert_end(trial, WF_HTTP_LATE);
        assert_true(trial->ended - began >= apr_time_from_msec(290));
        assert_true(trial->ended - began < apr_time_from_msec(300) + SOON);
    }
}

static void the_tasks_deadline_is_a_timeout(void **state)
{
    trial_t *trial = *state;
    apr_time_t began = wf_clock();

    trial->request.deadline = began + apr_time_from_msec(300);
    send_path(trial, "/silent");
    assert_int_equal(trial->rv, WF_ECANCELLED);
    assert_int_equal(wf_cancel_reason(trial->cancel), WF_CANCEL_TIMEOUT);
    assert_true(trial->ended - began >= apr_time_from_msec(290));
    assert_true(trial->ended - began < apr_time_from_msec(300) + SOON);
}

/* A socket to which no connection comes about: its queue is full. */
static int listen_without_room(int *port, int fillers[4])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(connect(fillers[i], (struct sockaddr *)&address, len) == 0 ||
                    errno == EINPROGRESS);
    }
    return fd;
}

static void *send_on_thread(void *data)
{
    trial_t *trial = data;

    send_url(trial, trial->request.url);
    return NULL;
}

/* Sends on a thread, waits until `awaited` says that it waits, cancels, and sees how long it took.
 */
static void cancel_while(trial_t *trial, void (*awaited)(trial_t *))
{
    apr_time_t asked;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, send_on_thread, trial), 0);
    awaited(trial);
    asked = wf_clock();
    wf_cancel_request(trial->cancel, WF_CANCEL_INTERRUPT);
    pthread_join(thread, NULL);
    assert_int_equal(trial->rv, WF_ECANCELLED);
    assert_true(trial->ended - asked < SOON);
}

static void await_request(trial_t *trial)
{
    server_await(&trial->server, 1);
}

static void await_resolver(trial_t *trial)
{
    eventfd_t count;

    (void)trial;
    assert_int_equal(eventfd_read(resolver_called, &count), 0);
}

/* Connections to a port of this machine that are asked for and not there: proc(5), state 02. */
static int count_connecting(int port)
{
    char wanted[64], line[256];
    FILE *file = fopen("/proc/self/net/tcp", "re");
    int count = 0;

    assert_non_null(file);
    snprintf(wanted, sizeof(wanted), "0100007F:%04X 02 ", (unsigned)port);
    while (fgets(line, sizeof(line), file)) {
        count += strstr(line, wanted) != NULL;
    }
    fclose(file);
    return count;
}

static void await_connecting(trial_t *trial)
{
    apr_time_t until = wf_clock() + apr_time_from_sec(20);

    while (count_connecting(trial->full_port) <= trial->connecting) {
        assert_true(wf_clock() < until);
        poll(NULL, 0, 1);
    }
}

static void an_interrupt_ends_it_while_it_resolves(void **state)
{
    trial_t *trial = *state;

    trial->request.url = "http://hangs.example.org/";
    cancel_while(trial, await_resolver);
    /* Only now may the resolver's thread go on; it finds that nobody waits any more. */
    eventfd_write(resolver_released, 1);
    await_resolver(trial);
}

static void a_resolver_that_hangs_is_left_when_the_time_is_up(void **state)
{
    trial_t *trial = *state;
    apr_time_t began = wf_clock();
    eventfd_t count;

    eventfd_read(resolver_released, &count);
    trial->request.connect_timeout = apr_time_from_msec(300);
    send_url(trial, "http://hangs.example.org/");
    assert_end(trial, WF_HTTP_UNREACHED);
    assert_true(trial->ended - began < apr_time_from_msec(300) + SOON);
    await_resolver(trial);
    eventfd_write(resolver_released, 1);
    await_resolver(trial);
}

static void a_name_that_is_unknown_is_named(void **state)
{
    trial_t *trial = *state;

    send_url(trial, "http://unknown.example.org/");
    assert_end(trial, WF_HTTP_UNREACHED);
    assert_string_equal(trial->answer.reason, "Could not resolve host: unknown.example.org");
}

static void an_interrupt_ends_it_while_it_connects(void **state)
{
    trial_t *trial = *state;
    int fillers[4];
    int fd = listen_without_room(&trial->full_port, fillers);

    trial->connecting = count_connecting(trial->full_port);
    trial->request.url = apr_psprintf(trial->pool, "http://127.0.0.1:%d/", trial->full_port);
    cancel_while(trial, await_connecting);
    for (int i = 0; i < 4; i++) {
        close(fillers[i]);
    }
    close(fd);
}

static void an_attempt_to_connect_has_its_own_time(void **state)
{
    trial_t *trial = *state;
    apr_time_t began = wf_clock();
    int fillers[4];
    int fd = listen_without_room(&trial->full_port, fillers);

    trial->request.connect_timeout = apr_time_from_msec(300);
    send_url(trial, apr_psprintf(trial->pool, "http://127.0.0.1:%d/", trial->full_port));
    assert_end(trial, WF_HTTP_UNREACHED);
    assert_true(trial->ended - began >= apr_time_from_msec(290));
    assert_true(trial->ended - began < apr_time_from_msec(300) + SOON);
    for (int i = 0; i < 4; i++) {
        close(fillers[i]);
    }
    close(fd);
}

static void an_interrupt_ends_it_while_it_waits(void **state)
{
    trial_t *trial = *state;

    trial->request.url = server_url(&trial->server, "/silent", trial->pool);
    cancel_while(trial, await_request);
}

static void an_interrupt_ends_it_while_it_reads(void **state)
{
    trial_t *trial = *state;

    trial->request.url = server_url(&trial->server, "/drip", trial->pool);
    cancel_while(trial, await_request);
}

static void an_interrupt_before_it_begins_sends_nothing(void **state)
{
    trial_t *trial = *state;

    wf_cancel_request(trial->cancel, WF_CANCEL_SHUTDOWN);
    send_path(trial, "/echo");
    assert_int_equal(trial->rv, WF_ECANCELLED);
    assert_int_equal(server_requests(&trial->server), 0);
}

static void a_client_is_of_use_after_an_interrupt_of_another_run(void **state)
{
    trial_t *trial = *state;
    wf_cancel_t *mine = trial->cancel, *other;

    assert_int_equal(wf_cancel_create(&other, trial->pool), APR_SUCCESS);
    trial->cancel = other;
    trial->request.url = server_url(&trial->server, "/silent", trial->pool);
    cancel_while(trial, await_request);
    trial->cancel = mine;
    send_path(trial, "/echo");
    assert_end(trial, WF_HTTP_ANSWERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(no_answer_in_time_ends_it),
        TRIAL(the_tasks_deadline_is_a_timeout),
        TRIAL(an_interrupt_ends_it_while_it_resolves),
        TRIAL(a_resolver_that_hangs_is_left_when_the_time_is_up),
        TRIAL(a_name_that_is_unknown_is_named),
        TRIAL(an_interrupt_ends_it_while_it_connects),
        TRIAL(an_attempt_to_connect_has_its_own_time),
        TRIAL(an_interrupt_ends_it_while_it_waits),
        TRIAL(an_interrupt_ends_it_while_it_reads),
        TRIAL(an_interrupt_before_it_begins_sends_nothing),
        TRIAL(a_client_is_of_use_after_an_interrupt_of_another_run),
    };

    return cmocka_run_group_tests(tests, set_up_resolver, NULL);
}
