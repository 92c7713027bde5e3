/** An error with a code, as Node.js and database drivers throw it. */
export const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

/** The server cannot be reached. */
export const refused = () => coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432');
