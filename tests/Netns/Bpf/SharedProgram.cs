using System;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Bpf;

/// <summary>One loaded program for all tests of a class: the verifier takes longer than they do.</summary>
public sealed class SharedProgram : IDisposable
{
    private ProgramRig? rig;

    /// <summary>As just loaded. Null, which skipped tests do not touch, where namespaces are impossible.</summary>
    internal ProgramRig Fresh()
    {
        if (NetnsSupport.WhyNot is not null)
        {
            return null!;
        }

        rig ??= new ProgramRig();
        rig.Reset();
        return rig;
    }

    public void Dispose() => rig?.Dispose();
}
