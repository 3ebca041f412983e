/** `PRAGMA application_id` of a journal: "ktrn". */
export const APPLICATION_ID = 0x6b74726e;
/** Of one that was exported to be used elsewhere: "ktrm". A keyturn that does not know it takes the file for something else's, and leaves it alone. */
export const MOVED_ID = 0x6b74726d;
