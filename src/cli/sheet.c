#include "cli/sheet.h"

#include "base/memory.h"
#include "base/say.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

#define GAP 2 /* spaces between two columns */

void sheet_init(struct sheet *sheet, size_t columns)
{
    *sheet = (struct sheet){.columns = columns + 1};
}

void sheet_release(struct sheet *sheet)
{
    for (size_t i = 0; i < sheet->count; i++)
        memory_free(sheet->cells[i]);
    memory_free(sheet->cells);
    *sheet = (struct sheet){0};
}

void sheet_put(struct sheet *sheet, const char *format, ...)
{
    va_list args;
    struct text words;
    va_start(args, format);
    text_init(&words);
    text_append_list(&words, format, args);
    va_end(args);
    sheet->cells = memory_grow(sheet->cells, sheet->count, &sheet->capacity, sizeof *sheet->cells);
    sheet->cells[sheet->count++] = memory_text(text_bytes(&words));
    text_release(&words);
}

void sheet_end_row(struct sheet *sheet, const char *remark)
{
    while ((sheet->count + 1) % sheet->columns != 0)
        sheet_put(sheet, "%s", "");
    sheet_put(sheet, "%s", remark);
}

static size_t width_of(const struct sheet *sheet, size_t column)
{
    size_t width = 0;
    for (size_t i = column; i < sheet->count; i += sheet->columns)
        width = strlen(sheet->cells[i]) > width ? strlen(sheet->cells[i]) : width;
    return width;
}

void sheet_print(const struct sheet *sheet)
{
    for (size_t row = 0; row + sheet->columns <= sheet->count; row += sheet->columns) {
        size_t gap = 0; /* spaces that something has to follow */
        for (size_t c = 0; c < sheet->columns; c++) {
            const char *cell = sheet->cells[row + c];
            if (*cell)
                say("%*s%s", (int)gap, "", cell);
            gap = (*cell ? 0 : gap) + width_of(sheet, c) + GAP - strlen(cell);
        }
        say("\n");
    }
}
