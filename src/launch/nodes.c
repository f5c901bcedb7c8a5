#include "launch/nodes.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/number.h"
#include "launch/launcher.h"
#include "launch/process.h"
#include "launch/slurm.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBE_S    5.0 /* all nodes together */
#define NODES_MOST 65536
#define TASKS_MOST 65535 /* of a node: all together fit into a number */

struct node_at {
    char name[SLURM_TEXT];
    int socket; /* on its way to slurmd; -1: there is none */
    bool is_there;
    unsigned tasks, cpus;
};

/* What changes in the environment with the nodes. */
#define CHANGING 8
static const char *const changing[CHANGING] = {
    "SLURM_JOB_NODELIST",  "SLURM_NODELIST", "SLURM_TASKS_PER_NODE", "SLURM_JOB_CPUS_PER_NODE",
    "SLURM_JOB_NUM_NODES", "SLURM_NNODES",   "SLURM_NTASKS",         "SLURM_NPROCS"};

/* What Slurm has given to the job, before anything was left out. */
static const char *given(const char *name)
{
    static struct {
        const char *name;
        char *value;
    } kept[CHANGING];
    for (size_t i = 0; i < CHANGING; i++) {
        if (!kept[i].name) {
            const char *value = getenv(name);
            kept[i].name = name;
            kept[i].value = value ? memory_text(value) : NULL;
        }
        if (strcmp(kept[i].name, name) == 0)
            return kept[i].value;
    }
    return NULL;
}

static void give_back(void)
{
    for (size_t i = 0; i < CHANGING; i++)
        if (given(changing[i]))
            setenv(changing[i], given(changing[i]), 1);
        else
            unsetenv(changing[i]);
}

/* Digits, which the text is put behind. */
static bool take_number(const char **text, uint64_t most, uint64_t *number)
{
    size_t digits = number_digits(*text, SIZE_MAX);
    bool ok = number_whole(*text, digits, most, number);
    *text += digits;
    return ok;
}

bool nodes_parse_tasks(const char *text, unsigned *tasks, size_t count)
{
    size_t filled = 0;
    while (*text) {
        uint64_t number, times = 1;
        if (!take_number(&text, TASKS_MOST, &number))
            return false;
        if (strncmp(text, "(x", 2) == 0) {
            text += 2;
            if (!take_number(&text, count - filled, &times) || *text++ != ')')
                return false;
        }
        if (times > count - filled)
            return false;
        for (; times > 0; times--)
            tasks[filled++] = (unsigned)number;
        if (*text != ',' && *text != '\0')
            return false;
        text += *text == ',';
    }
    return filled == count;
}

/* 0: not known. */
static size_t nodes_of(const char *number)
{
    uint64_t count = 0;
    return number && number_whole(number, SIZE_MAX, NODES_MOST, &count) ? (size_t)count : 0;
}

static int begin_to_connect(const char *address, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(address, port, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void end_to_connect(struct node_at *node, double end_s)
{
    struct pollfd one = {.fd = node->socket, .events = POLLOUT};
    int code = 0;
    socklen_t bytes = sizeof code;
    if (node->socket < 0)
        return;
    double left_s = end_s - clock_seconds();
    int ready = poll(&one, 1, left_s > 0 ? 1 + (int)(1e3 * left_s) : 0);
    node->is_there = ready > 0 && getsockopt(node->socket, SOL_SOCKET, SO_ERROR, &code, &bytes) == 0 && code == 0;
    close(node->socket);
    node->socket = -1;
}

/* One line a node, as scontrol tells it; false if there are others. */
static bool probe(struct node_at *nodes, size_t count, const char *lines, unsigned site_port)
{
    size_t found = 0;
    for (const char *line = lines; *line && found < count; found++) {
        struct text own;
        char address[SLURM_TEXT], port[SLURM_TEXT];
        size_t length = strcspn(line, "\n");
        text_init(&own);
        text_append(&own, "%.*s", (int)length, line);
        bool known = slurm_value(text_bytes(&own), "NodeName", nodes[found].name) &&
                     slurm_value(text_bytes(&own), "NodeAddr", address);
        if (!slurm_value(text_bytes(&own), "Port", port))
            snprintf(port, sizeof port, "%u", site_port);
        nodes[found].socket = known ? begin_to_connect(address, port) : -1;
        text_release(&own);
        if (!known)
            break;
        line += length + (line[length] == '\n');
    }
    double end_s = clock_seconds() + PROBE_S;
    for (size_t i = 0; i < found; i++)
        end_to_connect(&nodes[i], end_s);
    return found == count;
}

static void set_number(const char *const *names, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    for (; *names; names++)
        setenv(*names, text, 1);
}

/* The environment as if the job had been given only the nodes that are there. Returns their tasks. */
static unsigned set_environment(const struct node_at *nodes, size_t count)
{
    struct text names, tasks, cpus;
    unsigned there = 0, all = 0;
    text_init(&names);
    text_init(&tasks);
    text_init(&cpus);
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i].is_there)
            continue;
        const char *separator = there++ > 0 ? "," : "";
        all += nodes[i].tasks;
        text_append(&names, "%s%s", separator, nodes[i].name);
        text_append(&tasks, "%s%u", separator, nodes[i].tasks);
        text_append(&cpus, "%s%u", separator, nodes[i].cpus);
    }
    setenv("SLURM_JOB_NODELIST", text_bytes(&names), 1);
    setenv("SLURM_NODELIST", text_bytes(&names), 1);
    setenv("SLURM_TASKS_PER_NODE", text_bytes(&tasks), 1);
    setenv("SLURM_JOB_CPUS_PER_NODE", text_bytes(&cpus), 1);
    set_number((const char *[]){"SLURM_JOB_NUM_NODES", "SLURM_NNODES", NULL}, there);
    if (given("SLURM_NTASKS"))
        set_number((const char *[]){"SLURM_NTASKS", "SLURM_NPROCS", NULL}, all);
    text_release(&names);
    text_release(&tasks);
    text_release(&cpus);
    return all;
}

/* The command as it has to be without the lost nodes. srun asks Slurm for nodes, not its environment. */
static void change_command(struct words *command, const struct text *lost, size_t there, unsigned left,
                           unsigned long all_tasks)
{
    size_t first;
    launcher_shrink(command, there, left, all_tasks);
    if (launcher_find(command, &first) != LAUNCHER_SRUN)
        return;
    struct text exclude;
    text_init(&exclude);
    text_append(&exclude, "--exclude=%s", lost->bytes);
    words_insert(command, first, exclude.bytes);
    text_release(&exclude);
}

/* The nodes that the job still has, each between line breaks: Slurm takes a node that was lost out of its allocation,
 * and does not give it back. */
static bool allocated(const char *job, struct text *nodes)
{
    struct text answer, list, names;
    size_t length = 0;
    text_init(&answer);
    text_init(&list);
    text_init(&names);
    bool ok = slurm_ask((const char *[]){"show", "job", "-o", job, NULL}, &answer);
    const char *from = ok ? slurm_find(text_bytes(&answer), "NodeList", &length) : NULL;
    if (from) {
        text_append(&list, "%.*s", (int)length, from);
        ok = slurm_ask((const char *[]){"show", "hostnames", text_bytes(&list), NULL}, &names);
        text_append(nodes, "\n%s\n", text_bytes(&names));
    }
    text_release(&names);
    text_release(&list);
    text_release(&answer);
    return ok && from;
}

static bool is_among(const char *lines, const char *name)
{
    struct text line;
    text_init(&line);
    text_append(&line, "\n%s\n", name);
    bool found = strstr(lines, text_bytes(&line)) != NULL;
    text_release(&line);
    return found;
}

bool nodes_has_lost(const struct slurm_job *job, const char *node)
{
    struct text own;
    text_init(&own);
    bool is_lost = allocated(job->id, &own) && !is_among(text_bytes(&own), node);
    text_release(&own);
    return is_lost;
}

size_t nodes_leave_out_lost(const struct slurm_job *job, struct words *command, struct text *lost)
{
    const char *list = given("SLURM_JOB_NODELIST"), *tasks = given("SLURM_TASKS_PER_NODE");
    const char *cpus = given("SLURM_JOB_CPUS_PER_NODE"), *number = given("SLURM_JOB_NUM_NODES");
    size_t count = nodes_of(number), there = 0;
    give_back();
    if (!list || !tasks || !cpus || count < 2)
        return 0;
    struct node_at *nodes = memory_need(count, sizeof *nodes);
    unsigned *amounts = memory_need(2 * count, sizeof *amounts);
    struct text answer, own;
    text_init(&answer);
    text_init(&own);
    bool known = nodes_parse_tasks(tasks, amounts, count) && nodes_parse_tasks(cpus, amounts + count, count) &&
                 allocated(job->id, &own) && slurm_ask((const char *[]){"show", "node", "-o", list, NULL}, &answer) &&
                 probe(nodes, count, text_bytes(&answer), job->site.port);
    unsigned long all_tasks = 0;
    for (size_t i = 0; known && i < count; i++) {
        all_tasks += amounts[i];
        nodes[i].tasks = amounts[i];
        nodes[i].cpus = amounts[count + i];
        nodes[i].is_there &= is_among(text_bytes(&own), nodes[i].name);
        there += nodes[i].is_there;
        if (!nodes[i].is_there)
            text_append(lost, "%s%s", lost->length > 0 ? "," : "", nodes[i].name);
    }
    unsigned left = there > 0 ? set_environment(nodes, count) : 0;
    if (there > 0 && lost->length > 0)
        change_command(command, lost, there, left, all_tasks);
    text_release(&own);
    text_release(&answer);
    memory_free(amounts);
    memory_free(nodes);
    return there;
}

/* How many ranks the job's nodes have room for, node by node: *amounts, to be freed. Returns how many nodes; 0, and
 * NULL, if this is no batch job, or Slurm's words are not understood. */
static size_t read_rooms(unsigned **amounts)
{
    const char *tasks = getenv("SLURM_TASKS_PER_NODE");
    size_t count = tasks ? nodes_of(getenv("SLURM_JOB_NUM_NODES")) : 0;
    *amounts = count > 0 ? memory_need(count, sizeof **amounts) : NULL;
    if (count > 0 && !nodes_parse_tasks(tasks, *amounts, count)) {
        memory_free(*amounts);
        *amounts = NULL;
        count = 0;
    }
    return count;
}

unsigned nodes_slots(void)
{
    unsigned *amounts, slots = 0;
    size_t count = read_rooms(&amounts);
    for (size_t i = 0; i < count; i++)
        slots += amounts[i];
    memory_free(amounts);
    return slots;
}

size_t nodes_filled_by(unsigned ranks, size_t *nodes)
{
    unsigned *amounts;
    size_t filled = 0;
    *nodes = read_rooms(&amounts);
    for (; filled < *nodes && ranks > 0; filled++)
        ranks -= amounts[filled] < ranks ? amounts[filled] : ranks;
    memory_free(amounts);
    return filled;
}
