// Which of the known names a mistyped word most probably means. The library has the same for its own
// names (src/base/text.c), but not in its public face, on which the program stands.
#include "cli.h"

#include <limits.h>
#include <string.h>

enum { LONGEST = 40 };

// Edits (insertions, deletions, replacements, swaps of neighbours) that turn a into b: the
// restricted form of Damerau 1964.
static int edits(const char *a, const char *b)
{
    const size_t m = strlen(a), n = strlen(b);
    int table[LONGEST + 1][LONGEST + 1];
    if (m > LONGEST || n > LONGEST)
        return INT_MAX;
    for (size_t i = 0; i <= m; i++)
        table[i][0] = (int)i;
    for (size_t j = 0; j <= n; j++)
        table[0][j] = (int)j;
    for (size_t i = 1; i <= m; i++)
        for (size_t j = 1; j <= n; j++) {
            int best = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = table[i - 1][j] + 1 < best ? table[i - 1][j] + 1 : best;
            best = table[i][j - 1] + 1 < best ? table[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                table[i - 2][j - 2] + 1 < best)
                best = table[i - 2][j - 2] + 1;
            table[i][j] = best;
        }
    return table[m][n];
}

const char *nearest_name(const char *word, const void *names, size_t stride, int count)
{
    const char *nearest = NULL;
    int fewest = (int)(strlen(word) / 3) + 2; // one letter and a third of them may be wrong
    for (int i = 0; i < count; i++) {
        const void *at = (const char *)names + (size_t)i * stride;
        const char *name = *(const char *const *)at;
        const int distance = edits(word, name);
        if (distance < fewest) {
            fewest = distance;
            nearest = name;
        }
    }
    return nearest;
}
