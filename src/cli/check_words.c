#include "cli/check_words.h"

#include "base/limit.h"
#include "base/plural.h"
#include "base/say.h"
#include "cli/sheet.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIME 24

static void time_text(double seconds, char words[TIME])
{
    struct text text;
    text_init(&text);
    if (seconds < 1)
        text_append(&text, "%.3g ms", 1e3 * seconds);
    else
        text_append_seconds(&text, seconds);
    snprintf(words, TIME, "%s", text_bytes(&text));
    text_release(&text);
}

/* A row about a time, without its remark. */
static void put_time(struct sheet *sheet, const char *what, double seconds)
{
    char words[TIME];
    time_text(seconds, words);
    sheet_put(sheet, "%s", what);
    sheet_put(sheet, "%s", words);
}

static void put_bytes(struct sheet *sheet, const char *what, double bytes)
{
    char words[TEXT_AMOUNT];
    text_amount((uint64_t)bytes, words);
    sheet_put(sheet, "%s", what);
    sheet_put(sheet, "%s", words);
}

static void end_row(struct sheet *sheet, struct text *remark)
{
    sheet_end_row(sheet, text_bytes(remark));
    text_release(remark);
}

static void put_parts(struct sheet *sheet, const struct check_report *report)
{
    const struct rehearsal *tried = report->rehearsal;
    const struct forecast_parts *parts = &tried->parts;
    struct text remark;
    char words[TIME];
    text_init(&remark);
    put_time(sheet, "start", parts->start_s);
    sheet_end_row(sheet, "to the end of the first step");
    put_time(sheet, "step", parts->step_s);
    time_text(tried->wait_s, words);
    text_append(&remark, "%.0f samples/s on %d rank%s on %d node%s; median of %" PRIu64 "; it waits %s for data",
                (double)tried->batch / parts->step_s, report->ranks, plural((uint64_t)report->ranks), tried->nodes,
                plural((uint64_t)tried->nodes), tried->timed, words);
    end_row(sheet, &remark);
    if (tried->validated > 0) {
        put_time(sheet, "validation", parts->validation_s);
        text_append(&remark,
                    tried->validated < tried->validation ? "of %" PRIu64 " samples, reckoned from %" PRIu64
                                                         : "of %" PRIu64 " samples",
                    tried->validation, tried->validated);
        end_row(sheet, &remark);
    }
    if (!tried->is_saved)
        return;
    put_time(sheet, "save", parts->stall_s);
    time_text(parts->write_s, words);
    text_append(&remark, "of training; written in %s", words);
    end_row(sheet, &remark);
    put_time(sheet, "resume", tried->resume_s);
    text_append(&remark, "with the fingerprint of what was saved, %016" PRIx64, tried->fingerprint);
    end_row(sheet, &remark);
}

static void put_whole(struct sheet *sheet, const struct check_report *report)
{
    const struct forecast *cast = &report->forecast;
    const struct forecast_parts *parts = &report->rehearsal->parts;
    struct text remark;
    text_init(&remark);
    put_time(sheet, "epoch", cast->epoch_s);
    text_append(&remark, "of %.6g steps, with its validations and saves", parts->epoch_steps);
    end_row(sheet, &remark);
    put_time(sheet, "whole job", cast->whole_s);
    text_append(&remark, "of %" PRIu64 " step%s, %" PRIu64 " validation%s, %" PRIu64 " save%s%s", parts->steps,
                plural(parts->steps), cast->validations, plural(cast->validations), cast->saves, plural(cast->saves),
                report->rehearsal->is_saved ? "" : ", whose time is not known");
    end_row(sheet, &remark);
}

static void put_limit(struct sheet *sheet, const struct memory_room *room)
{
    struct text remark;
    text_init(&remark);
    put_bytes(sheet, "memory allowed", room->limit.bytes);
    text_append(&remark, "to %d rank%s on %s: %s%s", room->ranks, plural((uint64_t)room->ranks), room->host,
                room->limit.name, room->limit.is_soft ? ", beyond which it is slowed down" : "");
    end_row(sheet, &remark);
}

static void put_memory(struct sheet *sheet, const struct rehearsal *tried)
{
    char shared[TEXT_AMOUNT], files[TEXT_AMOUNT];
    struct text remark;
    text_init(&remark);
    text_amount((uint64_t)tried->most.shared, shared);
    text_amount((uint64_t)tried->most.files, files);
    put_bytes(sheet, "memory of a rank", tried->most.own);
    text_append(&remark, "private; shared %s; of files %s, which is page cache and does not count", shared, files);
    end_row(sheet, &remark);
    put_bytes(sheet, "memory of a node", tried->node_bytes);
    sheet_end_row(sheet, "private and shared, of all its ranks");
    for (size_t i = 0; i < tried->room_count; i++)
        put_limit(sheet, &tried->rooms[i]);
    if (tried->room_count > 0 && strcmp(tried->least.host, tried->rooms[0].host) != 0)
        put_limit(sheet, &tried->least);
}

static void put_disk(struct sheet *sheet, const struct check_report *report)
{
    const struct rehearsal *tried = report->rehearsal;
    char words[TEXT_AMOUNT];
    struct text remark;
    text_init(&remark);
    put_bytes(sheet, "checkpoint", (double)tried->parts.checkpoint_bytes);
    sheet_end_row(sheet, "");
    put_bytes(sheet, "checkpoints", report->forecast.bytes);
    text_append(&remark, "%" PRIu64 " that stay%s at most, and one that is written", report->forecast.stays,
                report->forecast.stays == 1 ? "s" : "");
    end_row(sheet, &remark);
    if (isinf(tried->disk_bytes))
        return;
    put_bytes(sheet, "room on the disk", tried->disk_bytes);
    text_amount((uint64_t)report->present, words);
    text_append(&remark, "of %s", report->disk);
    if (report->present > 0)
        text_append(&remark, ", beside the %s of the checkpoints that the run has", words);
    end_row(sheet, &remark);
}

void check_find_misfits(const struct check_report *report, struct text *misfits)
{
    const struct rehearsal *tried = report->rehearsal;
    struct error error;
    double bytes = (double)tried->parts.checkpoint_bytes, missing = report->forecast.bytes - report->present;
    if (!memory_room_is_enough(&tried->least, memory_room_less(report->job->checkpoint.background), &error))
        text_append(misfits, "%s", error.text);
    if (bytes > limit_file_bytes())
        text_append(misfits, "%sa checkpoint has %.1f MB, but a file of this process may have %.1f MB only (ulimit -f)",
                    misfits->length ? "; " : "", bytes / 1e6, limit_file_bytes() / 1e6);
    if (missing > tried->disk_bytes)
        text_append(misfits,
                    "%sthe checkpoints need %.1f MB more, and %s has %.1f MB free: a smaller checkpoint.keep, "
                    "checkpoint.best or more room",
                    misfits->length ? "; " : "", missing / 1e6, report->disk, tried->disk_bytes / 1e6);
}

void check_say(const struct check_report *report)
{
    struct sheet sheet;
    sheet_init(&sheet, 2);
    put_parts(&sheet, report);
    put_whole(&sheet, report);
    put_memory(&sheet, report->rehearsal);
    put_disk(&sheet, report);
    sheet_print(&sheet);
    sheet_release(&sheet);
    if (*report->misfits)
        say("does not fit: %s\n", report->misfits);
    else
        say("fits\n");
}

/* ---- JSON ---- */

static void append_number(struct text *line, const char *key, double value)
{
    if (isfinite(value))
        text_append(line, ",\"%s\":%.9g", key, value);
    else
        text_append(line, ",\"%s\":null", key);
}

static void append_memory(struct text *line, const struct rehearsal *tried)
{
    const struct memory_room *least = &tried->least;
    append_number(line, "rank_private_bytes", tried->most.own);
    append_number(line, "rank_shared_bytes", tried->most.shared);
    append_number(line, "rank_files_bytes", tried->most.files);
    append_number(line, "rank_peak_bytes", tried->most.peak);
    append_number(line, "node_bytes", tried->node_bytes);
    append_number(line, "memory_needed_bytes", least->needed);
    append_number(line, "memory_allowed_bytes", least->limit.bytes);
    text_append(line, ",\"memory_limit\":");
    text_append_json(line, least->limit.name);
}

void check_say_json(const struct check_report *report)
{
    const struct rehearsal *tried = report->rehearsal;
    const struct forecast_parts *parts = &tried->parts;
    const struct forecast *cast = &report->forecast;
    struct text line;
    text_init(&line);
    text_append(&line, "{\"ranks\":%d,\"nodes\":%d,\"steps\":%" PRIu64, report->ranks, tried->nodes, parts->steps);
    append_number(&line, "epoch_steps", parts->epoch_steps);
    append_number(&line, "start_s", parts->start_s);
    append_number(&line, "step_s", parts->step_s);
    append_number(&line, "data_wait_s", tried->wait_s);
    append_number(&line, "samples_per_s", (double)tried->batch / parts->step_s);
    append_number(&line, "validation_s", tried->validated > 0 ? parts->validation_s : (double)NAN);
    text_append(&line, ",\"validated\":%" PRIu64 ",\"validation\":%" PRIu64, tried->validated, tried->validation);
    append_number(&line, "save_stall_s", tried->is_saved ? parts->stall_s : (double)NAN);
    append_number(&line, "save_write_s", tried->is_saved ? parts->write_s : (double)NAN);
    append_number(&line, "resume_s", tried->is_saved ? tried->resume_s : (double)NAN);
    text_append(&line, ",\"validations\":%" PRIu64 ",\"saves\":%" PRIu64, cast->validations, cast->saves);
    append_number(&line, "epoch_s", cast->epoch_s);
    append_number(&line, "whole_s", cast->whole_s);
    append_memory(&line, tried);
    text_append(&line, ",\"checkpoint_bytes\":%" PRIu64 ",\"checkpoints\":%" PRIu64, parts->checkpoint_bytes,
                cast->stays);
    append_number(&line, "checkpoints_bytes", cast->bytes);
    append_number(&line, "present_bytes", report->present);
    append_number(&line, "disk_bytes", tried->disk_bytes);
    text_append(&line, ",\"fits\":%s,\"misfits\":", *report->misfits ? "false" : "true");
    text_append_json(&line, report->misfits);
    say("%s}\n", text_bytes(&line));
    text_release(&line);
}
