export const POSTGRES_MISSING: string;
export function findPostgres(): string | null;
