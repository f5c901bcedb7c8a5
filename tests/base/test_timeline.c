/* Marks of several threads: what is kept of them, and what is not. */
#include "base/timeline.h"

#include "base/clock.h"
#include "base/thread.h"
#include "support/test.h"

#include <string.h>

static void nothing_is_kept_while_nobody_wants_to_know(void)
{
    timeline_begin(MARK_STEP);
    timeline_end();
    CU_ASSERT_EQUAL(timeline_track_count(), 0);
    timeline_begin(MARK_STEP);
    timeline_open(4);
    timeline_end(); /* has begun before */
    CU_ASSERT_EQUAL(timeline_track(0).count, 0);
    timeline_close();
    CU_ASSERT_EQUAL(timeline_track_count(), 0);
}

static void intervals_nest_and_end_from_the_inside(void)
{
    double before = clock_seconds();
    timeline_open(4);
    timeline_begin(MARK_STEP);
    timeline_begin_part(MARK_FORWARD, 7);
    timeline_end();
    timeline_end();
    timeline_end(); /* one too many does nothing */
    struct timeline_track track = timeline_track(0);
    CU_ASSERT_EQUAL_FATAL(track.count, 2);
    const struct timeline_event *inner = timeline_event(&track, 0), *outer = timeline_event(&track, 1);
    CU_ASSERT_EQUAL(inner->mark, MARK_FORWARD);
    CU_ASSERT_EQUAL(inner->part, 7);
    CU_ASSERT_EQUAL(outer->mark, MARK_STEP);
    CU_ASSERT_EQUAL(outer->part, TIMELINE_NO_PART);
    CU_ASSERT_TRUE(before <= outer->begin_s && outer->begin_s <= inner->begin_s && inner->begin_s <= inner->end_s &&
                   inner->end_s <= outer->end_s && outer->end_s <= clock_seconds());
    timeline_close();
}

static void the_newest_are_kept(void)
{
    timeline_open(4);
    for (size_t part = 0; part < 10; part++) {
        timeline_begin_part(MARK_FORWARD, part);
        timeline_end();
    }
    struct timeline_track track = timeline_track(0);
    CU_ASSERT_EQUAL(track.count, 10);
    CU_ASSERT_EQUAL(track.kept, 4);
    for (uint64_t number = track.count - track.kept; number < track.count; number++)
        CU_ASSERT_EQUAL(timeline_event(&track, number)->part, number);
    timeline_close();
}

static void *read_twice(void *unused)
{
    timeline_name_thread("reader");
    for (int i = 0; i < 2; i++) {
        timeline_begin(MARK_READ);
        timeline_end();
    }
    return unused;
}

static void each_thread_has_a_track_of_its_own(void)
{
    pthread_t thread;
    for (int opening = 0; opening < 2; opening++) {
        timeline_name_thread("trainer");
        timeline_open(4);
        timeline_begin(MARK_STEP);
        CU_ASSERT_TRUE_FATAL(thread_start(&thread, read_twice, NULL));
        pthread_join(thread, NULL);
        timeline_end();
        CU_ASSERT_EQUAL_FATAL(timeline_track_count(), 2);
        struct timeline_track first = timeline_track(0), second = timeline_track(1);
        CU_ASSERT_STRING_EQUAL(first.thread, "trainer");
        CU_ASSERT_EQUAL(first.count, 1);
        CU_ASSERT_STRING_EQUAL(second.thread, "reader");
        CU_ASSERT_EQUAL(second.count, 2);
        CU_ASSERT_EQUAL(timeline_event(&second, 0)->mark, MARK_READ);
        timeline_close();
    }
}

static void *open_it(void *unused)
{
    timeline_open(4);
    return unused;
}

static void a_thread_of_an_earlier_opening_has_a_new_track(void)
{
    pthread_t thread;
    timeline_open(4);
    timeline_close();
    CU_ASSERT_TRUE_FATAL(thread_start(&thread, open_it, NULL));
    pthread_join(thread, NULL);
    timeline_begin(MARK_STEP);
    timeline_end();
    CU_ASSERT_EQUAL_FATAL(timeline_track_count(), 2);
    CU_ASSERT_EQUAL(timeline_track(0).count, 0);
    CU_ASSERT_EQUAL(timeline_track(1).count, 1);
    timeline_close();
}

static void each_mark_has_a_word_of_its_own(void)
{
    for (enum timeline_mark one = 0; one < TIMELINE_MARK_COUNT; one++)
        for (enum timeline_mark other = 0; other < one; other++)
            CU_ASSERT_STRING_NOT_EQUAL(timeline_word(one), timeline_word(other));
}

int main(void)
{
    const struct test_case cases[] = {
        {"nothing is kept while nobody wants to know", nothing_is_kept_while_nobody_wants_to_know},
        {"intervals nest and end from the inside", intervals_nest_and_end_from_the_inside},
        {"the newest are kept", the_newest_are_kept},
        {"each thread has a track of its own", each_thread_has_a_track_of_its_own},
        {"a thread of an earlier opening has a new track", a_thread_of_an_earlier_opening_has_a_new_track},
        {"each mark has a word of its own", each_mark_has_a_word_of_its_own},
        {0},
    };
    return test_run("base/timeline", cases);
}
