"""Where rows come from: plug-ins behind one small protocol, each of which may fail alone."""
