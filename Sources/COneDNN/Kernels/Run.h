// The loop over the tiles of a cluster.
//
// A thread's working memory: registers of `tile` elements, then for each reduction its partial
// result (a double for all, a row per group for columns), then one row of columns.

INLINE size_t NAMED(rounded)(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

INLINE size_t NAMED(partial_bytes)(const leak_cluster *cluster, const leak_reduction *r) {
  if (r->kind == leak_reduce_all) return 64;
  if (r->kind == leak_reduce_rows || cluster->columns > cluster->tile) return 0;
  return NAMED(rounded)((size_t)(cluster->groups * cluster->columns) * sizeof(REAL));
}

INLINE size_t NAMED(register_bytes)(const leak_cluster *cluster) {
  return NAMED(rounded)((size_t)cluster->tile * sizeof(REAL));
}

static size_t NAMED(memory)(const leak_cluster *cluster) {
  size_t bytes = NAMED(register_bytes)(cluster) * (size_t)(cluster->registers + 1);
  for (int i = 0; i < cluster->reduction_count; i++) {
    bytes += NAMED(partial_bytes)(cluster, &cluster->reductions[i]);
  }
  return bytes;
}

INLINE void NAMED(fold_row)(REAL *into, const REAL *row, int64_t count, int fold) {
  if (fold == leak_fold_sum) NAMED(functions)[leak_add][0](into, into, row, into, count);
  else if (fold == leak_fold_maximum) {
    NAMED(functions)[leak_maximum][0](into, into, row, into, count);
  } else NAMED(functions)[leak_minimum][0](into, into, row, into, count);
}

static void NAMED(fold_rows)(
    REAL *into, const REAL *x, int64_t rows, int64_t width, int fold) {
  int64_t i = 0;
  if (fold == leak_fold_sum) {
    for (; i + LANES <= width; i += LANES) {
      V total = NAMED(load)(x + i);
      for (int64_t row = 1; row < rows; row++) total += NAMED(load)(x + row * width + i);
      NAMED(store)(into + i, total);
    }
    if (i < width) {
      // The rest of a row; reading on into the next one is harmless while there is one.
      const int64_t rest = width - i;
      V total = {};
      int64_t row = 0;
      for (; row * width + i + LANES <= rows * width; row++) {
        total += NAMED(load)(x + row * width + i);
      }
      for (; row < rows; row++) total += NAMED(load_part)(x + row * width + i, rest);
      NAMED(store_part)(into + i, total, rest);
    }
    return;
  }
  for (int64_t k = i; k < width; k++) into[k] = x[k];
  for (int64_t row = 1; row < rows && i < width; row++) {
    NAMED(fold_row)(into + i, x + row * width + i, width - i, fold);
  }
}

INLINE REAL NAMED(neutral)(int fold) {
  if (fold == leak_fold_sum) return 0;
  return fold == leak_fold_maximum ? (REAL)-__builtin_inf() : (REAL)__builtin_inf();
}

INLINE REAL NAMED(folded)(const REAL *x, int64_t count, int fold) {
  if (fold == leak_fold_sum) return NAMED(sum)(x, count);
  return NAMED(extreme)(x, count, fold == leak_fold_maximum);
}

static void NAMED(fill)(REAL *to, REAL value, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = value;
}

// Elements [start, start + count) of a space read through strides, run by run of the last axis.
static void NAMED(gather)(REAL *to, const leak_load *load, int64_t start, int64_t count) {
  int64_t index[LEAK_RANK], offset = 0;
  const int last = load->rank - 1;
  const REAL *base = load->base;
  for (int axis = last; axis >= 0; axis--) {
    index[axis] = start % load->extents[axis];
    start /= load->extents[axis];
    offset += index[axis] * load->strides[axis];
  }
  const int64_t step = load->strides[last];
  while (count > 0) {
    int64_t run = load->extents[last] - index[last];
    if (run > count) run = count;
    const REAL *from = base ? base + offset : NULL;
    if (!base) for (int64_t i = 0; i < run; i++) to[i] = (REAL)(offset + i * step);
    else if (step == 0) for (int64_t i = 0; i < run; i++) to[i] = *from;
    else if (step == 1) for (int64_t i = 0; i < run; i++) to[i] = from[i];
    else for (int64_t i = 0; i < run; i++) to[i] = from[i * step];
    to += run;
    count -= run;
    offset += (load->extents[last] - index[last]) * step - load->extents[last] * step;
    index[last] = 0;
    for (int axis = last - 1; axis >= 0; axis--) {
      offset += load->strides[axis];
      if (++index[axis] < load->extents[axis]) break;
      offset -= load->extents[axis] * load->strides[axis];
      index[axis] = 0;
    }
  }
}

// What one reduction takes from a tile of `rows` whole or partial rows of `width` elements.
INLINE void NAMED(take)(
    const leak_cluster *cluster, const leak_reduction *r, const REAL *x, int64_t group,
    int64_t row, int64_t rows, int64_t column, int64_t width, void *partial, REAL *spare) {
  REAL *result = r->result;
  switch (r->kind) {
    case leak_reduce_all: {
      double *total = partial;
      REAL part = NAMED(folded)(x, rows * width, r->fold);
      if (r->fold == leak_fold_sum) *total += part;
      else if ((r->fold == leak_fold_maximum ? part > *total : part < *total) || part != part) {
        *total = part;
      }
      break;
    }
    case leak_reduce_rows:
      for (int64_t i = 0; i < rows; i++) {
        REAL part = NAMED(folded)(x + i * width, width, r->fold);
        REAL *to = result + group * cluster->rows + row + i;
        if (column == 0) *to = part;
        else NAMED(fold_row)(to, &part, 1, r->fold);
      }
      break;
    default:
      if (cluster->columns > cluster->tile) {
        REAL *to = result + group * cluster->columns + column;
        if (row == 0) for (int64_t i = 0; i < width; i++) to[i] = x[i];
        else NAMED(fold_row)(to, x, width, r->fold);
      } else {
        // First the tile's rows, then the tiles: the error grows with the root of each count.
        REAL *to = (REAL *)partial + group * width;
        if (rows == 1) {
          NAMED(fold_row)(to, x, width, r->fold);
          break;
        }
        NAMED(fold_rows)(spare, x, rows, width, r->fold);
        NAMED(fold_row)(to, spare, width, r->fold);
      }
  }
}

static void NAMED(run)(const leak_cluster *cluster, int64_t first, int64_t last, void *memory) {
  const size_t register_bytes = NAMED(register_bytes)(cluster);
  char *spare = (char *)memory + register_bytes * (size_t)cluster->registers;
  char *partials = spare + register_bytes;
  const int64_t columns = cluster->columns, rows = cluster->rows, tile = cluster->tile;
  const int whole = columns <= tile;
  for (int i = 0; i < cluster->reduction_count; i++) {
    const leak_reduction *r = &cluster->reductions[i];
    size_t bytes = NAMED(partial_bytes)(cluster, r);
    if (r->kind == leak_reduce_all) *(double *)partials = NAMED(neutral)(r->fold);
    else NAMED(fill)((REAL *)partials, NAMED(neutral)(r->fold), (int64_t)(bytes / sizeof(REAL)));
    partials += bytes;
  }
  if (first >= last) return;
  REAL *pointer[LEAK_SLOTS];
  for (int i = 0; i < cluster->slot_count; i++) {
    const leak_slot *slot = &cluster->slots[i];
    pointer[i] = slot->place == leak_slot_register
        ? (REAL *)((char *)memory + register_bytes * (size_t)slot->index)
        : slot->base;
  }
  const int64_t high = whole ? tile / columns : 1, wide = whole ? columns : tile;
  for (int i = 0; i < cluster->load_count; i++) {
    const leak_load *load = &cluster->loads[i];
    if (!load->once) continue;
    NAMED(gather)(pointer[load->slot], load, 0, whole ? (high < rows ? high : rows) * columns : tile);
  }
  const leak_schedule plan = leak_schedule_of(cluster);
  for (int64_t unit = first; unit < last; unit++) {
    const int64_t group = unit / plan.across, place = unit % plan.across;
    for (int64_t part = 0; part < plan.parts; part++) {
      int64_t row, column;
      switch (plan.order) {
        case leak_order_rows: row = place * high, column = 0; break;
        case leak_order_strips: row = part, column = place * tile; break;
        case leak_order_lines: row = place, column = part * tile; break;
        default: row = place / plan.width, column = place % plan.width * tile;
      }
      const int64_t height = rows - row < high ? rows - row : high;
      const int64_t width = columns - column < wide ? columns - column : wide;
      const int64_t start = (group * rows + row) * columns + column, count = height * width;
      for (int i = 0; i < cluster->slot_count; i++) {
        const leak_slot *slot = &cluster->slots[i];
        if (slot->place == leak_slot_memory) pointer[i] = (REAL *)slot->base + start;
      }
      for (int i = 0; i < cluster->load_count; i++) {
        const leak_load *load = &cluster->loads[i];
        if (!load->once) NAMED(gather)(pointer[load->slot], load, start, count);
      }
      for (int i = 0; i < cluster->step_count; i++) {
        const leak_step *step = &cluster->steps[i];
        NAMED(functions)[step->operation][step->scalars](
            pointer[step->result], pointer[step->first], pointer[step->second],
            pointer[step->third], count);
      }
      char *partial = spare + register_bytes;
      for (int i = 0; i < cluster->reduction_count; i++) {
        const leak_reduction *r = &cluster->reductions[i];
        NAMED(take)(
            cluster, r, pointer[r->slot], group, row, height, column, width, partial,
            (REAL *)spare);
        partial += NAMED(partial_bytes)(cluster, r);
      }
    }
  }
}

static void NAMED(finish)(
    const leak_cluster *cluster, int threads, const void *memory, size_t stride) {
  const char *partial =
      (const char *)memory + NAMED(register_bytes)(cluster) * (size_t)(cluster->registers + 1);
  for (int i = 0; i < cluster->reduction_count; i++) {
    const leak_reduction *r = &cluster->reductions[i];
    const size_t bytes = NAMED(partial_bytes)(cluster, r);
    REAL *result = r->result;
    if (r->kind == leak_reduce_all) {
      double total = *(const double *)partial;
      for (int thread = 1; thread < threads; thread++) {
        double part = *(const double *)(partial + stride * (size_t)thread);
        if (r->fold == leak_fold_sum) total += part;
        else if ((r->fold == leak_fold_maximum ? part > total : part < total) || part != part) {
          total = part;
        }
      }
      *result = (REAL)total;
    } else if (bytes) {
      const int64_t count = cluster->groups * cluster->columns;
      for (int64_t k = 0; k < count; k++) result[k] = ((const REAL *)partial)[k];
      for (int thread = 1; thread < threads; thread++) {
        const char *part = partial + stride * (size_t)thread;
        NAMED(fold_row)(result, (const REAL *)part, count, r->fold);
      }
    }
    partial += bytes;
  }
}
