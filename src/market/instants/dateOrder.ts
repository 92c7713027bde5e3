/** In which order a date has its parts if the year is not the first. */
export type DateOrder = 'YMD' | 'MDY' | 'DMY';
