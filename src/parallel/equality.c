#include "parallel/equality.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOST_BYTES  65
#define NAME_BYTES  (HOST_BYTES + 60)
#define SHOWN_BYTES 300 /* of a value in a message */

/* The rank whose value is that of most; of equally many that of the lowest. */
static int find_reference(char *const *values, int size)
{
    uint64_t *digests = memory_need((size_t)size, sizeof *digests);
    int reference = 0, most = 0;
    for (int r = 0; r < size; r++)
        digests[r] = digest_bytes(values[r], strlen(values[r]));
    for (int r = 0; r < size && 2 * most <= size; r++) {
        int count = 0;
        for (int other = 0; other < size; other++)
            count += digests[other] == digests[r];
        if (count > most) {
            most = count;
            reference = r;
        }
    }
    memory_free(digests);
    return reference;
}

/* "rank 3 and 2 others on n4": the lowest of `count`, and its host. */
static void name(int rank, int count, const char *host, char text[NAME_BYTES])
{
    if (count > 1)
        snprintf(text, NAME_BYTES, "rank %d and %d other%s on %s", rank, count - 1, count == 2 ? "" : "s", host);
    else
        snprintf(text, NAME_BYTES, "rank %d on %s", rank, host);
}

/* The words of a difference. */
static void describe(const struct equality_item *item, char *const *values, char *const *hosts, int size,
                     struct error *error)
{
    int reference = find_reference(values, size), odd = -1, agreed = 0;
    char odd_name[NAME_BYTES], reference_name[NAME_BYTES];
    for (int r = 0; r < size; r++) {
        bool same = strcmp(values[r], values[reference]) == 0;
        agreed += same;
        odd = odd < 0 && !same ? r : odd;
    }
    const char *odd_value = *values[odd] ? values[odd] : "(none)";
    const char *reference_value = *values[reference] ? values[reference] : "(none)";
    name(odd, size - agreed, hosts[odd], odd_name);
    name(reference, agreed, hosts[reference], reference_name);
    error_set(error, ERROR_USAGE, "%s is not the same on all ranks: %s: %.*s; %s: %.*s. %s", item->what, odd_name,
              SHOWN_BYTES, odd_value, reference_name, SHOWN_BYTES, reference_value, item->advice);
}

/* Collective. Gathers what the reduction has only told to be different. */
static bool refuse(const struct world *world, const struct equality_item *item, struct error *error)
{
    char host[HOST_BYTES] = "";
    struct error words;
    if (gethostname(host, sizeof host - 1))
        snprintf(host, sizeof host, "unknown");
    char **hosts = world_gather_texts(world, host), **values = world_gather_texts(world, item->value);
    describe(item, values, hosts, world->size, &words);
    memory_free(hosts);
    memory_free(values);
    if (item->tolerated)
        log_warn("%s", words.text);
    else
        *error = words;
    return item->tolerated;
}

bool equality_check(const struct world *world, const struct equality_item *items, size_t count, struct error *error)
{
    /* The maximum of ~x is the complement of the minimum of x: both are there in one reduction. */
    uint64_t *numbers = memory_need(2 * count, sizeof *numbers);
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        numbers[2 * i] = digest_bytes(items[i].value, strlen(items[i].value));
        numbers[2 * i + 1] = ~numbers[2 * i];
    }
    world_most(world, numbers, 2 * count);
    for (size_t i = 0; ok && i < count; i++)
        ok = numbers[2 * i] == ~numbers[2 * i + 1] || refuse(world, &items[i], error);
    memory_free(numbers);
    return ok;
}
