'use client';

import 'pdsdb/browser';
import { useEffect } from 'react';

// A server renders this page as well, and imports the library for it; only the browser calls it.
export default function Page() {
  useEffect(() => {
    import('../../main.js');
  }, []);
  return <p>app</p>;
}
