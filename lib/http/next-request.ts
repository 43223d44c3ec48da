// Gives the rooms above http the cookies and headers of the request that Next is handling.

export { cookies, headers } from "next/headers";
