/*
 * Characters and words of many texts counted. What these functions say is defined by `characters.py`, `lines.py`,
 * `words.py`, `ngrams.py`, `repetition.py` and `word_lists.py`, which call them and hold all tables; here are only the
 * loops.
 *
 * Texts are code points, joined by blank lines: text i from starts[i] on, lengths[i] of them, and two more behind it.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t i64;
typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

#define NO_MEMORY -9

/* --- characters */

enum { SPACE, SPECIAL, MARK, DIGIT, LETTER, UPPER, UNSPACED, CLASSES };
enum { WORDS = CLASSES, LINES, BULLETS, ELLIPSIS_LINES, TERMINALS, SENTENCES, HASHES, ELLIPSES, CURLY, COUNTED };
enum { BULLET = 1, ELLIPSIS = 2, TERMINAL = 4, STOP = 8, WIDE = 16, CLOSING = 32 };

static u8 of(const u8 *table, i64 size, u32 point) {
    return table[point < size ? point : size - 1];
}

static i64 ends_in_ellipsis(const u32 *text, const u32 *last, u8 mark) {
    return mark & ELLIPSIS || (last - text >= 2 && last[0] == '.' && last[-1] == '.' && last[-2] == '.');
}

/* `counts` has a row for each class, and for each of what follows them. */
void count_characters(const u32 *points, const i64 *starts, const i64 *lengths, i64 texts, const u8 *classes,
                      i64 class_size, const u8 *marks, i64 mark_size, i64 *counts) {
    for (i64 i = 0; i < texts; i++) {
        const u32 *text = points + starts[i], *end = text + lengths[i], *line = NULL, *last = NULL;
        i64 count[COUNTED] = {0};
        int in_word = 0, closed = 0;
        for (const u32 *p = text; p <= end; p++) { /* the line break behind it ends its last line */
            u8 class = p == end ? SPACE : of(classes, class_size, *p), mark = of(marks, mark_size, *p);
            if (p < end)
                count[class]++;
            if (*p == '\n' && line) {
                u8 first = of(marks, mark_size, *line), final = of(marks, mark_size, *last);
                i64 open = ends_in_ellipsis(text, last, final);
                count[LINES]++;
                count[BULLETS] += (first & BULLET) != 0;
                count[ELLIPSIS_LINES] += open;
                count[TERMINALS] += final & TERMINAL && !open;
                line = NULL;
            }
            if (p == end)
                break;
            if (class == SPACE) {
                in_word = 0;
                continue;
            }
            line = line ? line : p;
            last = p;
            if (class >= DIGIT && class <= UPPER && in_word < 2) {
                in_word = 2;
                count[WORDS]++;
            } else if (!in_word) {
                in_word = 1;
            }
            if (mark & STOP) {
                u8 next = of(marks, mark_size, p[1]);
                if (!(next & STOP) && (mark & WIDE || next & CLOSING || of(classes, class_size, p[1]) == SPACE))
                    count[SENTENCES]++;
            }
            if (!(mark & CLOSING))
                closed = mark & STOP;
            count[HASHES] += *p == '#';
            count[ELLIPSES] += mark & ELLIPSIS ? 1 : 0;
            count[CURLY] += *p == '{' || *p == '}';
        }
        for (const u32 *p = text; p + 2 < end; p++)
            if (p[0] == '.' && p[1] == '.' && p[2] == '.') {
                count[ELLIPSES]++;
                p += 2;
            }
        count[WORDS] += count[UNSPACED];
        count[SENTENCES] += !closed && count[WORDS] > 0;
        for (int row = 0; row < COUNTED; row++)
            counts[row * texts + i] = count[row];
    }
}

/* How often each text has each phrase, places that overlap counted once, as str.count does; a row for each phrase. At most 64
 * phrases of two characters or more, all ASCII. */
void count_phrases(const u32 *points, const i64 *starts, const i64 *lengths, i64 texts, const u32 *phrases,
                   const i64 *ends, i64 count, i64 *counts) {
    u64 first[128] = {0}, second[128] = {0};
    for (i64 i = 0; i < count; i++) {
        i64 begin = i ? ends[i - 1] : 0;
        first[phrases[begin] & 127] |= (u64)1 << i;
        second[phrases[begin + 1] & 127] |= (u64)1 << i;
    }
    for (i64 text = 0; text < texts; text++) {
        const u32 *begin = points + starts[text], *end = begin + lengths[text];
        const u32 *behind[64];
        for (i64 i = 0; i < count; i++)
            behind[i] = begin;
        for (const u32 *p = begin; p + 1 < end; p++) {
            u64 may = p[0] < 128 && p[1] < 128 ? first[p[0]] & second[p[1]] : 0;
            for (; may; may &= may - 1) {
                i64 i = __builtin_ctzll(may), from = i ? ends[i - 1] : 0, size = ends[i] - from;
                if (p < behind[i] || end - p < size || memcmp(p, phrases + from, (size_t)size * sizeof *p))
                    continue;
                counts[i * texts + text]++;
                behind[i] = p + size;
            }
        }
    }
}

/* --- repeated stretches of characters */

#define SOME 32 /* keys at once: as many places in a table are on their way from memory */

static int descending(const void *a, const void *b) {
    u32 one = *(const u32 *)a, other = *(const u32 *)b;
    return one < other ? 1 : one > other ? -1 : 0;
}

static u64 mixed(u64 value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/* Share of n-grams that are among the top min(sqrt(distinct), not singletons). */
i64 repetition(const u32 *points, const i64 *starts, const i64 *lengths, i64 texts, i64 n, float *shares) {
    i64 longest = 0;
    for (i64 i = 0; i < texts; i++)
        longest = lengths[i] > longest ? lengths[i] : longest;
    u64 slots = 1 << 16;
    while (slots < 2 * (u64)longest)
        slots *= 2;
    /* A slot holds half of a key, whose other half says where it is looked for, and how often it was met. */
    u64 *table = malloc(slots * sizeof *table), leading = 1;
    u32 *often = malloc((size_t)(longest / 2 + 1) * sizeof *often);
    const u64 base = 0x9E3779B97F4A7C15u;
    for (i64 j = 1; j < n; j++)
        leading *= base;
    for (i64 i = 0; table && often && i < texts; i++) {
        const u32 *text = points + starts[i];
        i64 windows = lengths[i] - n + 1, distinct = 0, repeated = 0, mass = 0;
        shares[i] = 0;
        if (windows <= 0)
            continue;
        u64 mask = 15, hash = 0;
        while (mask + 1 < 4 * (u64)windows && mask + 1 < slots) /* the emptier, the fewer are in the way */
            mask = 2 * mask + 1;
        memset(table, 0, (mask + 1) * sizeof *table);
        for (i64 j = 0; j < n - 1; j++)
            hash = hash * base + text[j] + 1;
        for (i64 begin = 0; begin < windows; begin += SOME) {
            i64 some = windows - begin < SOME ? windows - begin : SOME;
            u64 keys[SOME];
            for (i64 j = 0; j < some; j++) {
                hash = hash * base + text[begin + j + n - 1] + 1;
                keys[j] = mixed(hash);
                __builtin_prefetch(table + (keys[j] & mask));
                hash -= leading * ((u64)text[begin + j] + 1);
            }
            for (i64 j = 0; j < some; j++) {
                u64 at = keys[j] & mask, half = keys[j] & ~(u64)0xffffffff, held;
                while ((held = table[at]) && (held ^ half) >> 32)
                    at = (at + 1) & mask;
                distinct += !held;
                table[at] = held ? held + 1 : half + 1;
                if ((u32)held == 1)
                    often[repeated++] = (u32)at;
            }
        }
        for (i64 j = 0; j < repeated; j++)
            often[j] = (u32)table[often[j]];
        qsort(often, (size_t)repeated, sizeof *often, descending);
        i64 top = (i64)sqrt((double)distinct);
        for (i64 j = 0; j < (top < repeated ? top : repeated); j++)
            mass += often[j];
        shares[i] = (float)((double)mass / (double)windows);
    }
    int failed = !table || !often;
    free(table), free(often);
    return failed ? NO_MEMORY : 0;
}

/* --- words */

enum { IS_SPACE = 1, IS_ALNUM = 2, IS_ALPHA = 4, IS_EDGE = 8, IS_APOSTROPHE = 16, IS_ALONE = 32, IS_DECIMAL = 64 };

static u64 hash_of(const u32 *word, i64 size) {
    u64 hash = (u64)size;
    for (i64 i = 0; i < size; i++)
        hash = (hash ^ word[i]) * 0x9E3779B97F4A7C15u;
    return mixed(hash);
}

/* Hashes of words, each from ends[i - 1] to ends[i]. */
void hash_words(const u32 *points, const i64 *ends, i64 count, u64 *hashes) {
    for (i64 i = 0, begin = 0; i < count; begin = ends[i++])
        hashes[i] = hash_of(points + begin, ends[i] - begin);
}

static u64 hash_of_utf8(const u8 *p, const u8 *end) {
    u64 hash = 0;
    for (const u8 *q = p; q < end; q++)
        hash += (*q & 0xc0) != 0x80;
    while (p < end) {
        int more = *p < 0xc0 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
        u32 point = *p++ & (more ? 0x3f >> more : 0x7f);
        for (; more && p < end; more--)
            point = point << 6 | (*p++ & 0x3f);
        hash = (hash ^ point) * 0x9E3779B97F4A7C15u;
    }
    return mixed(hash);
}

/* Hashes of the strings of msgpack that are in no map, of any depth in arrays; how many. Ends at what it does not know.
 */
i64 hash_packed(const u8 *p, i64 size, u64 *hashes) {
    const u8 *end = p + size;
    i64 count = 0, of_maps = 0; /* so many objects to come are in maps */
    while (p < end) {
        u8 kind = *p++;
        i64 length = kind & (kind < 0xa0 ? 15 : 31), width = 0, in_map = of_maps > 0;
        int is_map = kind >= 0x80 && kind < 0x90, is_array = kind >= 0x90 && kind < 0xa0;
        int is_string = kind >= 0xa0 && kind < 0xc0;
        if (kind >= 0xd9 && kind <= 0xdd) {
            is_array = kind >= 0xdc, is_string = !is_array;
            width = kind == 0xd9 ? 1 : kind == 0xda || kind == 0xdc ? 2 : 4;
            if (end - p < width)
                break;
            for (length = 0; width; width--)
                length = length << 8 | *p++;
        } else if (!is_map && !is_array && !is_string && kind >= 0x80 && kind < 0xe0) {
            break; /* all others are small numbers */
        }
        of_maps += (is_map ? 2 * length : is_array && in_map ? length : 0) - in_map;
        if (!is_string)
            continue;
        if (end - p < length)
            break;
        if (!in_map)
            hashes[count++] = hash_of_utf8(p, p + length);
        p += length;
    }
    return count;
}

static int all(const u32 *word, i64 size, const u8 *flags, i64 flag_size, u8 flag) {
    for (i64 i = 0; i < size; i++)
        if (!(of(flags, flag_size, word[i]) & flag))
            return 0;
    return size > 0;
}

static int any(const u32 *word, i64 size, const u8 *flags, i64 flag_size, u8 flag) {
    for (i64 i = 0; i < size; i++)
        if (of(flags, flag_size, word[i]) & flag)
            return 1;
    return 0;
}

struct vocabulary {
    u32 *points;
    i64 *ends, count;
    u64 *hashes, mask;
    u32 *slots; /* 1 + number of a word, 0 for none */
};

/* The number of a word that was written behind the last one. */
static i64 number_of(struct vocabulary *v, i64 size) {
    const u32 *word = v->points + (v->count ? v->ends[v->count - 1] : 0);
    u64 hash = hash_of(word, size), at = hash & v->mask;
    for (; v->slots[at]; at = (at + 1) & v->mask)
        if (v->hashes[v->slots[at] - 1] == hash)
            return v->slots[at] - 1;
    v->hashes[v->count] = hash;
    v->ends[v->count] = word + size - v->points;
    v->slots[at] = (u32)++v->count;
    return v->count - 1;
}

/* Words of lower-cased texts as numbers into a vocabulary; how many. `single` tells which texts may
 * have scripts without spaces. Of each distinct word where it ends in `written`, its hash, and whether it has a
 * letter and nothing but letters and digits. Arrays of words hold as many as there are points. */
i64 number_words(const u32 *points, const i64 *starts, const i64 *lengths, i64 texts, const u8 *single, const u8 *flags,
                 i64 flag_size, i64 *ids, i64 *owners, u32 *written, i64 *ends, u64 *hashes, u8 *kinds, i64 *distinct) {
    u64 slots = 16;
    i64 total = texts ? starts[texts - 1] + lengths[texts - 1] : 0, count = 0;
    while (slots < 2 * (u64)(total + 1))
        slots *= 2;
    struct vocabulary v = {written, ends, 0, hashes, slots - 1, calloc(slots, sizeof(u32))};
    if (!v.slots)
        return NO_MEMORY;
    for (i64 i = 0; i < texts; i++) {
        const u32 *p = points + starts[i], *end = p + lengths[i];
        while (p < end) {
            u8 flag = of(flags, flag_size, *p);
            if (flag & IS_SPACE) {
                p++;
                continue;
            }
            const u32 *word = p++;
            if (!(single[i] && flag & IS_ALONE))
                for (; p < end; p++) {
                    u8 next = of(flags, flag_size, *p);
                    if (next & IS_SPACE || (single[i] && next & IS_ALONE))
                        break;
                }
            const u32 *stop = p;
            i64 size = stop - word;
            u32 *to = written + (v.count ? ends[v.count - 1] : 0);
            int whole = all(word, size, flags, flag_size, IS_ALNUM);
            if (!whole) {
                while (word < stop && of(flags, flag_size, *word) & IS_EDGE)
                    word++;
                while (word < stop && of(flags, flag_size, stop[-1]) & IS_EDGE)
                    stop--;
                size = stop - word;
                whole = all(word, size, flags, flag_size, IS_ALNUM);
                if (!whole && !any(word, size, flags, flag_size, IS_ALNUM))
                    continue;
            }
            for (i64 j = 0; j < size; j++)
                to[j] = !whole && of(flags, flag_size, word[j]) & IS_APOSTROPHE ? '\'' : word[j];
            i64 before = v.count, number = number_of(&v, size);
            if (v.count > before)
                kinds[number] = (u8)((any(to, size, flags, flag_size, IS_ALPHA) ? IS_ALPHA : 0) | (whole ? IS_ALNUM : 0));
            ids[count] = number;
            owners[count++] = i;
        }
    }
    free(v.slots);
    *distinct = v.count;
    return count;
}

/* --- listed words */

enum { STOP_WORD = 1, COMMON = 2, FLAGGED = 4, SPAM = 8, LISTS = 4, FIRST_OTHER = 4, LIST_BITS = 12, INDEX_SHIFT = 50 };

struct list {
    const u64 *entries; /* hashes, sorted, the lowest bits of which say what the word is */
    const i64 *index; /* where those with the same uppermost bits begin */
};

static u32 look_up(const struct list *list, u64 hash) {
    const i64 *index = list->index + (hash >> INDEX_SHIFT);
    const u64 *at = list->entries + index[0], wanted = hash >> LIST_BITS;
    for (i64 left = index[1] - index[0]; left > 1;) {
        i64 half = left / 2;
        at += at[half] >> LIST_BITS <= wanted ? half : 0;
        left -= half;
    }
    return index[1] > index[0] && *at >> LIST_BITS == wanted ? *at & ((1 << LIST_BITS) - 1) : 0;
}

/* Entries in the order of their hashes, those of one word as one; how many are left. `index` has a place more than there
 * are uppermost bits, `sorted` as many as there are entries. */
i64 build_list(const u64 *entries, i64 count, u64 *sorted, i64 *index) {
    enum { BUCKETS = 1 << (64 - INDEX_SHIFT) };
    memset(index, 0, (BUCKETS + 1) * sizeof *index);
    for (i64 i = 0; i < count; i++)
        index[(entries[i] >> INDEX_SHIFT) + 1]++;
    for (i64 bucket = 0; bucket < BUCKETS; bucket++)
        index[bucket + 1] += index[bucket];
    for (i64 i = count - 1; i >= 0; i--) /* from behind, so that an index ends where its bucket ends */
        sorted[--index[(entries[i] >> INDEX_SHIFT) + 1]] = entries[i];
    i64 kept = 0;
    for (i64 bucket = 0; bucket < BUCKETS; bucket++) {
        i64 begin = index[bucket + 1], end = bucket + 2 <= BUCKETS ? index[bucket + 2] : count;
        for (i64 i = begin + 1; i < end; i++) {
            u64 entry = sorted[i];
            i64 j = i;
            for (; j > begin && sorted[j - 1] > entry; j--)
                sorted[j] = sorted[j - 1];
            sorted[j] = entry;
        }
        index[bucket] = kept;
        for (i64 i = begin; i < end; i++) {
            if (kept > index[bucket] && sorted[kept - 1] >> LIST_BITS == sorted[i] >> LIST_BITS)
                sorted[kept - 1] |= sorted[i];
            else
                sorted[kept++] = sorted[i];
        }
    }
    index[BUCKETS] = kept;
    return kept;
}

/* A compound is common where each of its parts that is no number is. */
static int parts_are_common(const struct list *list, const u32 *word, i64 size, const u8 *flags, i64 flag_size) {
    for (i64 i = 0; i < size;) {
        i64 begin = i;
        while (i < size && of(flags, flag_size, word[i]) & IS_ALNUM)
            i++;
        if (i > begin && !all(word + begin, i - begin, flags, flag_size, IS_DECIMAL) &&
            !(look_up(list, hash_of(word + begin, i - begin)) & COMMON))
            return 0;
        i += i == begin;
    }
    return 1;
}

/* How many words of each text are on the lists of its language, a row for each list; and which others, by document.
 *
 * `language` is that of a text, -1 for none. `lists` and `indices` are addresses, see `look_up`. */
i64 count_listed(const i64 *ids, const i64 *owners, i64 count, const u32 *written, const i64 *ends, const u64 *hashes,
                 const u8 *kinds, i64 distinct, const i64 *language, i64 texts, const u64 *lists,
                 const u64 *indices, i64 languages, const u8 *flags, i64 flag_size,
                 const i64 *document, i64 *counts, i64 *others) {
    enum { KNOWN = 1 << 15 };
    uint16_t *bits = calloc((size_t)(distinct * languages + 1), sizeof *bits);
    if (!bits)
        return NO_MEMORY;
    for (i64 i = 0; i < count; i++) {
        i64 text = owners[i], word = ids[i];
        if (language[text] < 0)
            continue;
        uint16_t *found = &bits[language[text] * distinct + word];
        if (!*found) {
            i64 which = language[text], begin = word ? ends[word - 1] : 0;
            struct list list = {(const u64 *)(uintptr_t)lists[which], (const i64 *)(uintptr_t)indices[which]};
            u32 listed = look_up(&list, hashes[word]);
            if (!(kinds[word] & IS_ALNUM) && parts_are_common(&list, written + begin, ends[word] - begin, flags, flag_size))
                listed |= COMMON;
            if (!(kinds[word] & IS_ALPHA))
                listed &= ~(u32)COMMON;
            *found = (uint16_t)(listed | KNOWN);
        }
        for (int row = 0; row < LISTS; row++)
            counts[row * texts + text] += *found >> row & 1;
        others[document[text]] |= (*found & ~KNOWN) >> FIRST_OTHER;
    }
    free(bits);
    return 0;
}

/* --- repeated words */

enum { LONGEST = 10, REPETITION = 5 };
enum { TOP_2, TOP_3, TOP_4, DUPLICATE_5, DUPLICATES = 6, MASSES = DUPLICATE_5 + DUPLICATES };

struct grams {
    i64 *places, *group, *count, *first, size, groups; /* of the words of one document */
    u64 *keys;
    u32 *slots; /* 1 + group */
};

/* Group of an n-gram by that of the n - 1 words before its last one, and this one. */
static i64 group_of(struct grams *g, u64 mask, u64 key, i64 place) {
    u64 at = mixed(key) & mask;
    for (; g->slots[at]; at = (at + 1) & mask)
        if (g->keys[at] == key)
            return g->slots[at] - 1;
    g->keys[at] = key;
    g->first[g->groups] = place;
    g->count[g->groups] = 0;
    g->slots[at] = (u32)++g->groups;
    return g->groups - 1;
}

static u64 cleared(struct grams *g, i64 size) {
    u64 mask = 15;
    while (mask + 1 < 2 * (u64)size)
        mask = 2 * mask + 1;
    memset(g->slots, 0, (mask + 1) * sizeof *g->slots);
    return mask;
}

static void repeat_in_texts(struct grams *g, const i64 *owner, i64 *in_texts) {
    /* Of each text how many of its 5-grams it has more than once: counted by group and text. */
    u64 mask = cleared(g, g->size);
    i64 *count = g->first + g->groups; /* free: groups are at most half as many as places here */
    i64 pairs = 0;
    for (int pass = 0; pass < 2; pass++)
        for (i64 i = 0; i < g->size; i++) {
            i64 place = g->places[i];
            if (g->count[g->group[i]] < 2 || owner[place] != owner[place + REPETITION - 1])
                continue;
            u64 key = (u64)g->group[i] << 32 | (u32)(owner[place] - owner[0]), at = mixed(key) & mask;
            while (g->slots[at] && g->keys[at] != key)
                at = (at + 1) & mask;
            if (!g->slots[at]) {
                g->keys[at] = key;
                count[pairs] = 0;
                g->slots[at] = (u32)++pairs;
            }
            i64 *of_pair = &count[g->slots[at] - 1];
            if (!pass)
                ++*of_pair;
            else if (*of_pair > 1)
                in_texts[owner[place]]++;
        }
}

/* What repeats itself in documents of sizes[i] words each: 5-grams that occur again, in the document and within a
 * text, and MASSES of characters, a row each. */
i64 repeated_words(const i64 *ids, const i64 *owners, const i64 *widths, const i64 *sizes, i64 documents,
                   i64 *in_documents, i64 *in_texts, i64 *masses) {
    i64 longest = 0;
    for (i64 i = 0; i < documents; i++)
        longest = sizes[i] > longest ? sizes[i] : longest;
    u64 slots = 16;
    while (slots < 2 * (u64)(longest + 1))
        slots *= 2;
    size_t room = (size_t)(longest + 1);
    i64 *held = malloc(7 * room * sizeof *held);
    struct grams g = {.keys = malloc(slots * sizeof(u64)), .slots = malloc(slots * sizeof(u32))};
    int failed = !held || !g.keys || !g.slots;
    if (!failed)
        g.places = held, g.group = held + room, g.count = held + 2 * room, g.first = held + 3 * room;
    i64 *edges = held + 5 * room;
    for (i64 document = 0, begin = 0; !failed && document < documents; begin += sizes[document++]) {
        const i64 *id = ids + begin, *owner = owners + begin;
        i64 size = sizes[document];
        u64 mask = cleared(&g, size);
        g.size = size, g.groups = 0;
        for (i64 i = 0; i < size; i++) {
            g.places[i] = i;
            g.group[i] = group_of(&g, mask, (u64)id[i], i);
            g.count[g.group[i]]++;
        }
        for (i64 n = 2; n <= LONGEST && g.size; n++) {
            i64 kept = 0;
            for (i64 i = 0; i < g.size; i++)
                if (g.count[g.group[i]] > 1 && g.places[i] + n <= size)
                    g.places[kept] = g.places[i], g.group[kept++] = g.group[i];
            g.size = kept, g.groups = 0;
            mask = cleared(&g, kept);
            for (i64 i = 0; i < kept; i++) {
                i64 place = g.places[i];
                g.group[i] = group_of(&g, mask, (u64)g.group[i] << 32 | (u64)id[place + n - 1], place);
                g.count[g.group[i]]++;
            }
            if (n <= 4) {
                i64 best = -1, width = n - 1;
                for (i64 i = 0; i < g.groups; i++)
                    if (g.count[i] > 1 && (best < 0 || g.count[i] > g.count[best]))
                        best = i; /* groups are in the order of their first places */
                for (i64 i = 0; best >= 0 && i < n; i++)
                    width += widths[id[g.first[best] + i]];
                masses[(TOP_2 + n - 2) * documents + document] = best < 0 ? 0 : width * g.count[best];
            } else {
                i64 covered = 0, open = 0;
                memset(edges, 0, (size_t)(size + 1) * sizeof *edges);
                for (i64 i = 0; i < kept; i++)
                    if (g.places[i] != g.first[g.group[i]])
                        edges[g.places[i]]++, edges[g.places[i] + n]--;
                for (i64 i = 0; i < size; i++)
                    if ((open += edges[i]) > 0)
                        covered += widths[id[i]];
                masses[(DUPLICATE_5 + n - 5) * documents + document] = covered;
            }
            if (n == REPETITION) {
                for (i64 i = 0; i < kept; i++)
                    in_documents[document] += g.count[g.group[i]] > 1;
                repeat_in_texts(&g, owner, in_texts);
            }
        }
    }
    free(held), free(g.keys), free(g.slots);
    return failed ? NO_MEMORY : 0;
}
