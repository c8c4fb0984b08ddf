using System;

namespace Postern.Proxy.Listeners;

/// <summary>An open connection, as the registry and the sweeper see it.</summary>
internal interface ITrackedConnection
{
    /// <summary>Checks deadlines; called a few times a second from the sweeper's thread. Cheap when nothing is due.</summary>
    /// <param name="now">Milliseconds of <see cref="System.Environment.TickCount64"/>.</param>
    void Sweep(long now);

    /// <summary>Finish what is in flight, then close.</summary>
    void BeginDrain();

    /// <summary>Close now, with a reset.</summary>
    void AbortNow();

    /// <summary>What it is open by; null where nothing judged it, or where the verdict holds for good.</summary>
    OpenVerdict? Verdict { get; }

    /// <summary>Policy allows it no longer: closes both sides now. False when it was closed already.</summary>
    /// <param name="tell">Called if this is what closes it, once and before either side can see it: so its record comes before those of the end.</param>
    bool Revoke(Action tell);
}
