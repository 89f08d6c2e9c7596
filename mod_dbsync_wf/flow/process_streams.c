/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three standard streams of a program, from our side: input is fed as the program takes it,
 * output is handed on, kept up to a cap and drained past it, and nothing here ever blocks.
 */
#include "flow/process_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

static void close_end(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

wf_streams_t *wf_streams_create(const wf_process_spec_t *spec, apr_pool_t *pool)
{
    wf_streams_t *streams = apr_pcalloc(pool, sizeof(*streams));

    streams->in = -1;
    streams->input = spec->input;
    streams->on_output = spec->on_output;
    streams->baton = spec->baton;
    for (int i = 0; i < 2; i++) {
        streams->out[i].fd = -1;
        streams->out[i].cap = i == 0 ? spec->output_cap : spec->error_cap;
        wf_buf_bind(&streams->out[i].kept, pool);
    }
    for (int i = 0; i < 3; i++) {
        streams->theirs[i] = -1;
    }
    return streams;
}

/* Above 2, so that placing one of the three in the child never overwrites another. */
static apr_status_t raise_end(int *fd)
{
    int low = *fd;

    if (low > 2) {
        return APR_SUCCESS;
    }
    *fd = fcntl(low, F_DUPFD_CLOEXEC, 3);
    close(low);
    return *fd < 0 ? errno : APR_SUCCESS;
}

static apr_status_t make_pipe(int *reader, int *writer, const int *ours)
{
    int ends[2];
    apr_status_t rv, rv2;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    *reader = ends[0];
    *writer = ends[1];
    rv = raise_end(reader);
    rv2 = raise_end(writer);
    if (rv != APR_SUCCESS || rv2 != APR_SUCCESS) {
        return rv != APR_SUCCESS ? rv : rv2;
    }
    /* Ours alone: each end has its own flags, and programs do not expect this one. */
    return fcntl(*ours, F_SETFL, O_NONBLOCK) != 0 ? errno : APR_SUCCESS;
}

static void feed(wf_streams_t *streams)
{
    while (streams->in >= 0 && streams->input.len) {
        ssize_t count = write(streams->in, streams->input.data, streams->input.len);
        if (count >= 0) {
            streams->input.data += count;
            streams->input.len -= (apr_size_t)count;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            /* EPIPE: the program does not want the rest, which is its right. */
            break;
        }
    }
    close_end(&streams->in);
}

apr_status_t wf_streams_open(wf_streams_t *streams)
{
    apr_status_t rv = make_pipe(&streams->theirs[0], &streams->in, &streams->in);

    for (int i = 0; i < 2 && rv == APR_SUCCESS; i++) {
        rv = make_pipe(&streams->out[i].fd, &streams->theirs[i + 1], &streams->out[i].fd);
    }
    if (rv == APR_SUCCESS) {
        feed(streams);
    }
    return rv;
}

void wf_streams_detach(wf_streams_t *streams)
{
    for (int i = 0; i < 3; i++) {
        close_end(&streams->theirs[i]);
    }
}

static void keep(wf_stream_t *stream, const char *data, apr_size_t len)
{
    apr_size_t room = stream->cap - stream->kept.len;

    if (len > room) {
        stream->cut = 1;
        len = room;
    }
    wf_buf_add(&stream->kept, data, len);
}

/* Reads once; how many bytes came, 0 where none did for now or the stream has ended. */
static apr_size_t take(wf_streams_t *streams, wf_stream_t *stream)
{
    char chunk[CHUNK];
    ssize_t count;

    do {
        count = read(stream->fd, chunk, sizeof(chunk));
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        keep(stream, chunk, (apr_size_t)count);
        if (streams->on_output) {
            streams->on_output(streams->baton, wf_slice_of(chunk, (apr_size_t)count));
        }
        return (apr_size_t)count;
    }
    if (count == 0 || errno != EAGAIN) {
        close_end(&stream->fd);
    }
    return 0;
}

void wf_streams_expect(const wf_streams_t *streams, struct pollfd at[WF_STREAMS])
{
    at[0] = (struct pollfd){streams->in, POLLOUT, 0};
    at[1] = (struct pollfd){streams->out[0].fd, POLLIN, 0};
    at[2] = (struct pollfd){streams->out[1].fd, POLLIN, 0};
}

void wf_streams_serve(wf_streams_t *streams, const struct pollfd at[WF_STREAMS])
{
    if (at[0].revents) {
        feed(streams);
    }
    for (int i = 0; i < 2; i++) {
        if (at[i + 1].revents) {
            take(streams, &streams->out[i]);
        }
    }
}

/*
 * At most what a pipe holds: a process that left the tree on purpose may still be writing, and must
 * not keep us here.
 */
static void drain(wf_streams_t *streams, wf_stream_t *stream)
{
    apr_size_t count, most, sum = 0;
    int size;

    if (stream->fd < 0) {
        return;
    }
    size = fcntl(stream->fd, F_GETPIPE_SZ);
    most = size > 0 ? (apr_size_t)size : CHUNK;
    while (stream->fd >= 0 && sum < most && (count = take(streams, stream)) > 0) {
        sum += count;
    }
}

void wf_streams_close(wf_streams_t *streams)
{
    wf_streams_detach(streams);
    close_end(&streams->in);
    for (int i = 0; i < 2; i++) {
        drain(streams, &streams->out[i]);
        close_end(&streams->out[i].fd);
    }
}
