/** The account of a pipeline that has seen nothing. */
export const nothing = {
  received: 0,
  written: 0,
  diverted: 0,
  divertedBy: {},
  dropped: {},
  filtered: 0,
  delivered: 0,
  held: 0,
  conservation: 0,
};
